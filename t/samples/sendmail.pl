# Sendmail: where expected.jsonl's members are told by mailq -v and the qf itself.
our ($want, $got);

sub bare { my ($s) = @_; $s =~ s/^<(.*)>$/$1/s; return $s }

+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_ eq 'quarantined' ? 'hold' : 'deferred', $got->{queue_name} },
	arrival_time => sub { $_, $got->{arrival_time} },
	size_mailq => sub { $_, $got->{message_size} },
	sender => sub { $_ eq 'MAILER-DAEMON' ? '' : bare($_), $got->{sender} },
	recipients_pending_qf => sub { names(map { bare($_) } @$_), names(pending()) },
	tries => sub { $_, $got->{attempts} },
	last_try => sub { $_ || undef, $got->{last_attempt} },
	quarantine_reason => sub {
		$_, $got->{queue_name} eq 'hold' ? $got->{note} : undef;
	},
	# one of the message (if any), then one a recipient
	reasons_mailq => sub {
		my @rcpts = map { $_->{delay_reason} } @{ $got->{recipients} };
		my @all = grep { defined } @rcpts;
		names(@$_ > @rcpts ? @$_[1 .. $#$_] : @all ? @$_ : ()), names(@all);
	},
	-more => sub {
		my ($same) = @_;
		return if !$want->{case} || $want->{case} !~ /^dsn(-untried)?$/;
		$same->('envid', 'QQ+314159', $got->{envid});
		$same->('ret', 'HDRS', $got->{ret});
		my %orcpt = ('ann@later.example' => 'rfc822;Orig+ann@old.invalid',
		    'carla@full.example' => 'rfc822;carla@full.example');
		$same->('orcpt', names(grep { defined } map { $orcpt{$_} } pending()),
		    names(grep { defined } map { $_->{orcpt} } @{ $got->{recipients} }));
	},
	arrival_mailq => 'arrival_time to the minute',
	data_file => 'where the body is: its text is compared',
	priority_mailq => 'the order of a queue run, which nobody lists',
	recipients_pending_mailq => 'recipients_pending_qf, cut off',
	sender_mailq => 'sender, cut off',
};
