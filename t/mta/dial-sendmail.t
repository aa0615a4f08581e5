#!/bin/sh
# A gateway with a real Sendmail dials a provider with a real Exim: ETRN and ATRN.
# shellcheck disable=SC2034
chroots='exim sendmail'
. "$(dirname "$0")/lib.sh"
. "$mta/dialling.sh"
dialling exim sendmail
