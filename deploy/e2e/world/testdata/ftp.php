<?php // One step of the matrix with PHP's ftp extension: HOST MODE STEP ARGUMENTS.
[, $host, $mode, $step] = $argv;
$args = array_slice($argv, 4);
function ok($done) { if ($done === false) { fwrite(STDERR, "failed\n"); exit(1); } return $done; }
$ftp = ok(ftp_connect($host, 21, 30));
ok(ftp_login($ftp, 'anonymous', 'a@b'));
ftp_set_option($ftp, FTP_USEPASVADDRESS, true);
ok(ftp_pasv($ftp, $mode === 'passive'));
switch ($step) {
case 'list': foreach (ok(ftp_rawlist($ftp, $args[0])) as $line) echo "$line\n"; break;
case 'mlsd': foreach (ok(ftp_mlsd($ftp, $args[0])) as $entry) echo $entry['name'], "\n"; break;
case 'get': ok(ftp_get($ftp, $args[1], $args[0], FTP_BINARY)); break;
case 'put': ok(ftp_put($ftp, $args[1], $args[0], FTP_BINARY)); break;
case 'append': ok(ftp_put($ftp, $args[2], $args[0], FTP_BINARY)); ok(ftp_append($ftp, $args[2], $args[1], FTP_BINARY)); break;
case 'resume': ok(ftp_get($ftp, $args[1], $args[0], FTP_BINARY, 1000000)); break;
case 'many':
  ok(ftp_chdir($ftp, $args[0]));
  foreach (ok(ftp_nlist($ftp, '')) as $name) if ($name[0] !== '.') ok(ftp_get($ftp, "$args[1]/$name", $name, FTP_BINARY));
  break;
case 'abort': // the extension cannot abort; what is broken off is an upload to nowhere
  @ftp_put($ftp, '/no/such/folder', $argv[0], FTP_BINARY);
  ok(ftp_get($ftp, $args[2], $args[1], FTP_BINARY));
  break;
case 'idle': ftp_rawlist($ftp, '.'); sleep(60); ok(ftp_get($ftp, $args[1], $args[0], FTP_BINARY)); break;
}
ftp_close($ftp);
