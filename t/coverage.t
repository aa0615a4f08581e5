#!/bin/sh
# What `make coverage' prints at its end: on a little room of its own.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"
command -v gcov >/dev/null || skip_all 'gcov is needed'
command -v gcc >/dev/null || skip_all 'gcc is needed'

mkdir -p "$tmp/src/room" "$tmp/b/src/room"
cd "$tmp" || exit 1
cat >src/room/used.c <<'END'
#include <unistd.h>
int before_exec(void) { return 1; }
int before_exit(void) { return 0; }
int never(void) { return 1; }
int main(int argc, char **argv)
{
	if (argc > 1 && before_exec())
		execvp(argv[1], argv + 1);
	_exit(before_exit());
}
END
printf 'int alone(void)\n{\n\treturn 1;\n}\n' >src/room/unused.c
for name in used unused; do
	gcc -O0 --coverage -include "$top/t/coverage.h" -c -o "b/src/room/$name.o" "src/room/$name.c" || exit 1
done
gcc --coverage -o program b/src/room/used.o

exits 'where nothing counts' 1 "$top/t/coverage" "$tmp"
exits 'from nothing' 0 "$top/t/coverage" --begin b
exits 'a program that ends in _exit, or in another' 0 ./program ./program
"$top/t/coverage" b >said
like 'the room' '^room +2 +[0-9]+ +[1-9][0-9]* +[1-9][0-9.]+%  +5 +3  60\.0%$' cat said
is 'who was never called' 'Functions that nothing has called:

src/room/unused.c:1: alone
src/room/used.c:4: never' sed -n '/^Functions/,$p' said
exits 'again from nothing' 0 "$top/t/coverage" --begin b
like 'nobody has come' '^all +2 +[1-9][0-9]* +0 +0\.0% +5 +0 +0\.0%$' "$top/t/coverage" b
done_testing
