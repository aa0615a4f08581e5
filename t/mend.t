#!/bin/sh
# Mended texts say what they said before, as another parser of MIME sees them.
. t/lib.sh
command -v python3 >/dev/null || skip_all 'no python3'
cd "$tmp" || exit 1
for seed in 1 2 3 4; do
	ok "chance $seed" python3 "$top/t/mend.py" $seed
done
done_testing
