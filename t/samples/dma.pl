# dma: where expected.jsonl's members are told by dma -bp and the files.
our ($want, $got);
+{
	-key => sub { $want->{queue_id} },
	queue_id => sub { $_, $got->{queue_id} },
	state => sub { $_ eq 'queued' ? 'deferred' : $_, $got->{queue_name} },
	arrival_time => sub { $_, $got->{arrival_time} },
	# a null sender, as dma writes it
	sender => sub { $_ eq '@mx.test' ? '' : $_, $got->{sender} },
	recipients_pending => sub { names(@$_), names(pending()) },
	message_file_size => sub { $_, $got->{message_size} },
	reason => sub { $_, $got->{recipients}[0]{delay_reason} },
	data_file => 'where the text is, which is compared',
	links => 'names of that file in the queue, lost in a copy',
};
