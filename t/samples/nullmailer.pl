# nullmailer: where expected.jsonl's members are told by its mailq.
our ($want, $got);
+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_ eq 'failed' ? 'hold' : 'deferred', $got->{queue_name} },
	arrival_time => sub { $_, $got->{arrival_time} },
	mailq_size => sub { $_ // $got->{message_size}, $got->{message_size} },
	sender => sub { $_, $got->{sender} },
	recipients_pending => sub { names(@$_), names(pending()) },
	in_mailq => 'mailq does not list what failed',
	mtime => 'of the file: from when its lifetime counts',
};
