# OpenSMTPD: where expected.jsonl's members are told by smtpctl.
our ($want, $got);
+{
	-key => sub { $want->{envelope_id} },
	envelope_id => sub { $_, $got->{queue_id} },
	queue_id => sub { $_, substr($got->{queue_id}, 0, 8) },
	arrival_time => sub { $_, $got->{arrival_time} },
	sender => sub { $_ eq '@' ? '' : $_, $got->{sender} },
	recipients_pending => sub { names(@$_), names(pending()) },
	reason => sub { $_, $got->{recipients}[0]{delay_reason} },
	retry => sub { $_, $got->{attempts} },
	last_try => sub { $_ || undef, $got->{last_attempt} },
	shown_size => 'the text with a header of smtpctl\'s own',
	shown_sha256 => 'likewise',
	state => 'suspended or not is known to smtpd\'s memory alone',
	online_fields => 'that memory',
	rcpt_as_given => 'the address before it was expanded to the pending one',
	data_file => 'where the text is, which is compared',
	message_file_is_wire_with_lf => 'a note',
	-more => sub {
		my ($same) = @_;
		my $d = $want->{dsn};
		$same->('ret', $d->{'dsn-ret'}, $got->{ret});
		$same->('envid', $d->{'dsn-envid'} && $d->{'dsn-envid'} =~ s/\+2B/+/r, $got->{envid});
		$same->('orcpt', $d->{'dsn-orcpt'} && 'rfc822;Orig+ann@old.invalid',
		    $got->{recipients}[0]{orcpt});
	},
	dsn => 'compared above',
};
