/* What every fuzzer has: its entry, and a property that must hold. */
#ifndef T_FUZZ_FUZZ_H
#define T_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must_hold(yes) do { \
	if (!(yes)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #yes); \
		abort(); \
	} \
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#endif
