# Exim: where expected.jsonl's members are told by exim -bp, -Mset -be and the main log.
our ($want, $got);

# What the main log gives as the address is raw, ours is as on the wire.
sub reason_of {
	my ($address) = @_;
	my $all = $want->{reasons};
	return $all->{$address} // $all->{ unquoted($address) } // '';
}

+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_ eq 'frozen' ? 'hold' : 'deferred', $got->{queue_name} },
	arrival_time => sub { $_, $got->{arrival_time} },
	message_size => sub { $_, $got->{message_size} },
	sender => sub { $_, $got->{sender} },
	recipients_pending => sub { names(@$_), names(pending()) },
	recipients_done => sub { names(@$_), names(done()) },
	reasons => sub {
		my @bad = grep {
			my $r = reason_of($_->{address});
			$r ne '' && ($_->{delay_reason} // '') !~ /\Q$r\E$/;
		} @{ $got->{recipients} };
		'', names(map { "$_->{address}: " . ($_->{delay_reason} // '-') } @bad);
	},
	queue => sub { $_, $got->{ref} =~ m{/spool/(\w+)/input/} ? $1 : '' },
	-more => sub {
		my ($same) = @_;
		return if !$want->{case} || $want->{case} ne 'dsn';
		$same->('envid', 'QQ+314159', $got->{envid});
		$same->('ret', 'HDRS', $got->{ret});
		$same->('orcpt', 'rfc822;Orig+ann@old.invalid rfc822;carla@full.example',
		    names(grep { defined } map { $_->{orcpt} } @{ $got->{recipients} }));
		$same->('notify', 'FAILURE NEVER SUCCESS,FAILURE,DELAY',
		    names(grep { defined } map { $_->{notify} } @{ $got->{recipients} }));
	},
	arrival_time_source => 'how arrival_time was found',
	body_linecount => 'a count of lines, which nobody lists',
	message_linecount => 'likewise',
	body_size => 'a part of message_size',
	bp_size => 'message_size as exim -bp rounds it',
	log_size => 'message_size as the log has it',
	mvc_sha256 => 'the text with LF line ends; the wire is compared',
	mvc_size => 'likewise',
	msglog_lines => 'what reasons were taken from',
	protocol => 'how it came in, which nobody lists',
};
