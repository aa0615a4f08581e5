#!/bin/sh
# A gateway with a real Exim dials a provider with a real Sendmail: ETRN and ATRN.
# shellcheck disable=SC2034
chroots='exim sendmail'
. "$(dirname "$0")/lib.sh"
. "$mta/dialling.sh"
dialling sendmail exim
