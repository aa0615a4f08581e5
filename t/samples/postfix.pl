# Postfix: where expected.jsonl's members are told by postqueue -j, postcat and stat.
our ($want, $got);
+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_, $got->{queue_name} },
	arrival_time => sub { $_, $got->{arrival_time} },
	tool_size => sub { $_, $got->{message_size} },
	next_attempt => sub { $_, $got->{next_attempt} },
	forced_expire => sub { $_, $got->{forced_expire} },
	sender_raw => sub { $_, unquoted($got->{sender}) },
	recipients_pending => sub { names(@$_), names(pending()) },
	recipients_done_raw => sub { names(@$_), names(map { unquoted($_) } done()) },
	-more => sub {
		my ($same) = @_;
		$same->("reason of $_->{address}", $want->{reasons}{ $_->{address} },
		    $_->{delay_reason}) for @{ $got->{recipients} };
		return if !$want->{case} || $want->{case} ne 'dsn';
		$same->('envid', 'QQ+314159', $got->{envid});
		$same->('ret', 'HDRS', $got->{ret});
		$same->('notify', 'FAILURE NEVER SUCCESS,FAILURE,DELAY',
		    names(grep { defined } map { $_->{notify} } @{ $got->{recipients} }));
	},
	mode => 'state, next_attempt and forced_expire come from it',
	log_size => 'of the log, another count than the queue file\'s',
	sender => 'sender_raw before it was quoted for the listing',
	recipients_pending_raw => 'recipients_pending before they were quoted',
	reasons => 'compared above: the defer log keeps those of done recipients too',
};
