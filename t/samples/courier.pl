# Courier: where expected.jsonl's members are told by its mailq and the control file.
our ($want, $got);
+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_ eq 'queued' ? 'deferred' : $_, $got->{queue_name} },
	sender => sub { $_, $got->{sender} },
	recipients_pending => sub { names(@$_), names(pending()) },
	recipients_done => sub {
		names(@$_, @{ $want->{recipients_failed} }), names(done());
	},
	data_file_size => sub { $_, $got->{message_size} },
	mailq_date => sub {
		my @t = gmtime $got->{arrival_time};
		my @months = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
		$_, sprintf('%s %02d %02d:%02d', $months[$t[4]], @t[3, 2, 1]);
	},
	recipients_failed => 'compared with those that are done: neither is pending',
	data_file => 'where the text is, which is compared',
	mailq_size => 'data_file_size as mailq rounds it',
	mailq_user => 'who submitted it, which nobody else lists',
	in_mailq => 'a note',
	-more => sub {
		my ($same) = @_;
		$same->("reason of $_->{address}", 1, $_->{delay_reason} =~ /^4\d\d / ? 1 : 0)
		    for grep { $_->{address} =~ /later|full/ && $want->{case} &&
			$got->{attempts} } @{ $got->{recipients} };
	},
};
