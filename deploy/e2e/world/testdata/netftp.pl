# One step of the matrix with Net::FTP: HOST MODE STEP ARGUMENTS.
use strict; use warnings;
use Net::FTP;
my ($host, $mode, $step, @args) = @ARGV;
my $ftp = Net::FTP->new($host, Passive => $mode eq 'passive', Timeout => 30) or die "connect: $@";
sub ok { my ($done) = @_; die $ftp->code . ' ' . $ftp->message unless $done; $done }
ok($ftp->login('anonymous', 'a@b'));
$ftp->binary;
if ($step eq 'list') { print "$_\n" for $ftp->dir($args[0]) }
elsif ($step eq 'mlsd') {
  my $data = ok($ftp->_data_cmd('MLSD', $args[0]));
  my $buffer; print $buffer while $data->read($buffer, 4096);
  $data->close;
}
elsif ($step eq 'get') { ok($ftp->get(@args)) }
elsif ($step eq 'put') { ok($ftp->put(@args)) }
elsif ($step eq 'append') { ok($ftp->put($args[0], $args[2])); ok($ftp->append($args[1], $args[2])) }
elsif ($step eq 'resume') { ok($ftp->get($args[0], $args[1], 1000000)) }
elsif ($step eq 'many') {
  ok($ftp->cwd($args[0]));
  for my $name (grep { !/^\.\.?$/ } $ftp->ls) { ok($ftp->get($name, "$args[1]/$name")) }
}
elsif ($step eq 'abort') {
  my $data = ok($ftp->retr($args[0]));
  my $buffer; $data->read($buffer, 100000);
  $data->abort;
  ok($ftp->get($args[1], $args[2]));
}
elsif ($step eq 'idle') { $ftp->dir; sleep 60; ok($ftp->get(@args)) }
$ftp->quit;
