# Where the gateway scripts are, $gateways; with $GATEWAY_SH, a shell, copies that it runs.
# Sourced after lib.sh.
# shellcheck shell=sh disable=SC2154
gateways=$top/bin
if [ -n "${GATEWAY_SH:-}" ]; then
	gateways=$tmp/gateways
	mkdir "$gateways"
	cp "$top/bin"/*.sh "$gateways"
	for script in dial flush etrn; do
		{ echo "#!$GATEWAY_SH"; tail -n +2 "$top/bin/gateway-$script"; } >"$gateways/gateway-$script"
		chmod +x "$gateways/gateway-$script"
	done
fi
