package world

// client is an FTP client program and what it can do.
type client struct {
	name string
	// pkg is the Debian package that has it, empty where npm or Go has it.
	pkg string
	// program is what must be found before it can be used.
	program string
	// modes are its ways to open data connections: how each is asked for.
	modes map[string]string
	steps []step
}

// step is one thing that a client does: a shell script that fails unless it
// was done. Its variables:
//
//	$U $H       the server's address, in brackets and bare if it is IPv6
//	$MODE $M    the mode's name, and how the client is asked for it
//	$F          the server's files: $F/pub is to be read, $F/up written to
//	$SRC        a file of 3 MB to upload
//	$N          a name for an upload that nobody else uses
//	$DATA       this package's testdata
//	$FAMILY     4 or 6
type step struct {
	name, script string
	// long says that it is left out of the short form.
	long bool
}

// got is a check that ends many scripts.
const (
	gotFile = `cmp got "$F/pub/file"`
	putFile = `cmp "$SRC" "$F/up/$N"`
)

// clients are all that are known, in the order of the table.
func clients() []client {
	return []client{
		{"curl", "curl", "curl", map[string]string{
			"PASV": "--disable-epsv", "EPSV": "--ftp-pasv", "PORT": "--ftp-port - --disable-eprt", "EPRT": "--ftp-port -",
		}, []step{
			{"list", `curl -sS -m 40 $M "ftp://$U/pub/" | grep file >/dev/null`, false},
			{"MLSD", `curl -sS -m 40 $M -X MLSD "ftp://$U/pub/" | grep -i 'type=file' >/dev/null`, false},
			{"download", `curl -sS -m 60 $M -o got "ftp://$U/pub/file"; ` + gotFile, false},
			{"upload", `curl -sS -m 60 $M -T "$SRC" "ftp://$U/up/$N"; ` + putFile, false},
			{"append", `head -c 1000000 "$SRC" >a; tail -c +1000001 "$SRC" >b; curl -sS -m 60 $M -T a "ftp://$U/up/$N"; curl -sS -m 60 $M -a -T b "ftp://$U/up/$N"; ` + putFile, true},
			{"resume", `head -c 1000000 "$F/pub/file" >got; curl -sS -m 60 $M -C - -o got "ftp://$U/pub/file"; ` + gotFile, false},
			{"hundred files", `curl -sS -m 120 $M "ftp://$U/pub/many/f[000-099]" -o '#1'; for i in $(seq -w 0 99); do cmp 0$i "$F/pub/many/f0$i"; done`, true},
			{"200 MB", `curl -sS -m 300 $M "ftp://$U/pub/big" | cmp - "$F/pub/big"`, true},
			{"side by side", `curl -sS -m 60 $M -o got "ftp://$U/pub/file" & a=$!; curl -sS -m 60 $M -o two "ftp://$U/pub/file" & b=$!; wait $a; wait $b; ` + gotFile + `; cmp two got`, true},
			{"broken off", `curl -sS -m 1 --limit-rate 100k $M -o got "ftp://$U/pub/big" || true; rm -f got; curl -sS -m 60 $M -o got "ftp://$U/pub/file"; ` + gotFile, true},
		}},
		{"lftp", "lftp", "lftp", map[string]string{
			"PASV": "set ftp:passive-mode yes; set ftp:prefer-epsv no;", "EPSV": "set ftp:passive-mode yes; set ftp:prefer-epsv yes;",
			"PORT": "set ftp:passive-mode no;",
		}, []step{
			{"list", lftp(`ls pub`) + ` | grep file >/dev/null`, false},
			{"download", lftp(`get pub/file -o got`) + `; ` + gotFile, false},
			{"upload", lftp(`put $SRC -o up/$N`) + `; ` + putFile, false},
			{"resume", `head -c 1000000 "$F/pub/file" >got; ` + lftp(`get -c pub/file -o got`) + `; ` + gotFile, false},
			{"mirror with 8", lftp(`mirror --no-perms -P8 pub/many many`) + `; diff -r many "$F/pub/many"`, false},
			{"reverse mirror with 8", `cp -r "$F/pub/many" many; ` + lftp(`mirror -R --no-perms -P8 many up/$N`) + `; diff -r many "$F/up/$N"`, true},
			{"200 MB in 4 parts", lftp(`pget -n 4 pub/big -o got`) + `; cmp got "$F/pub/big"`, true},
			{"idle minute", lftp(`ls pub; sleep 60; get pub/file -o got`) + ` >/dev/null; ` + gotFile, true},
		}},
		{"tnftp", "tnftp", "tnftp", map[string]string{"EPSV": "-p", "PASV": "-p -v", "PORT": "-A"}, []step{
			{"list", tnftp(`ls pub`) + ` | grep file >/dev/null`, false},
			{"download", tnftp(`get pub/file got`) + `; ` + gotFile, false},
			{"upload", tnftp(`put $SRC up/$N`) + `; ` + putFile, false},
			{"append", `head -c 1000000 "$SRC" >a; tail -c +1000001 "$SRC" >b; ` + tnftp(`put a up/$N\nappend b up/$N`) + `; ` + putFile, true},
			{"resume", `head -c 1000000 "$F/pub/file" >got; ` + tnftp(`reget pub/file got`) + `; ` + gotFile, true},
			{"idle minute", tnftp(`ls pub\n!sleep 60\nget pub/file got`) + ` >/dev/null; ` + gotFile, true},
		}},
		{"ncftp", "ncftp", "ncftpget", map[string]string{"PASV": "-F", "PORT": "-E"}, []step{
			{"list", `timeout 60 ncftpls $M "ftp://$U/pub/" >list; cat list; grep file list >/dev/null`, false},
			{"download", `timeout 60 ncftpget -V $M -c "$U" pub/file >got; ` + gotFile, false},
			{"upload", `cp "$SRC" "$N"; timeout 60 ncftpput -V $M "$U" up "$N"; ` + putFile, false},
			{"hundred files", `timeout 120 ncftpget -V -R $M "$U" . pub/many; diff -r many "$F/pub/many"`, true},
		}},
		{"wget", "wget", "wget", map[string]string{"EPSV": "", "PORT": "--no-passive-ftp"}, []step{
			{"list", `wget -q -T 40 -t 1 $M -O list "ftp://$U/pub/"; grep file >/dev/null list`, false},
			{"download", `wget -q -T 40 -t 1 $M -O got "ftp://$U/pub/file"; ` + gotFile, false},
			{"resume", `head -c 1000000 "$F/pub/file" >file; wget -q -T 40 -t 1 -c $M "ftp://$U/pub/file"; cmp file "$F/pub/file"`, false},
			{"hundred files", `wget -q -r -nH --cut-dirs=1 -T 40 -t 1 $M "ftp://$U/pub/many/"; rm -f many/.listing; diff -r many "$F/pub/many"`, true},
		}},
		{"inetutils-ftp", "inetutils-ftp", "inetutils-ftp", map[string]string{"PASV": "passive", "PORT": "sendport"}, []step{
			{"list", inetutils(`ls pub`) + ` | grep file >/dev/null`, false},
			{"download", inetutils(`get pub/file got`) + `; ` + gotFile, false},
			{"upload", inetutils(`put $SRC up/$N`) + `; ` + putFile, false},
			{"append", `head -c 1000000 "$SRC" >a; tail -c +1000001 "$SRC" >b; ` + inetutils(`put a up/$N\nappend b up/$N`) + `; ` + putFile, true},
		}},
		{"Python ftplib", "python3", "python3", bothModes(), scripted(`timeout 120 python3 "$DATA/python-ftplib.py"`)},
		{"Perl Net::FTP", "perl", "perl", bothModes(), scripted(`timeout 120 perl "$DATA/netftp.pl"`)},
		{"PHP ftp", "php8.2-cli php8.2-common", "php8.2", bothModes(), scripted(`timeout 120 php8.2 -n -d extension_dir="$(dirname $UNPACKED/usr/lib/php/*/ftp.so)" -d extension=ftp "$DATA/ftp.php"`)},
		{"Node basic-ftp", "", "node_modules/basic-ftp", map[string]string{"EPSV": "EPSV", "PASV": "PASV"}, scripted(`NODE_PATH="$UNPACKED/../node_modules" timeout 120 node "$DATA/basic-ftp.js"`)},
		{"Go jlaffaye/ftp", "", "goftp-client", map[string]string{"EPSV": "EPSV", "PASV": "PASV"}, scripted(`timeout 120 goftp-client`)},
		{"busybox", "busybox", "busybox", map[string]string{"PASV": ""}, []step{
			{"download", `timeout 60 busybox ftpget "$H" got pub/file; ` + gotFile, false},
			{"upload", `timeout 60 busybox ftpput "$H" "up/$N" "$SRC"; ` + putFile, false},
			{"resume", `head -c 1000000 "$F/pub/file" >got; timeout 60 busybox ftpget -c "$H" got pub/file; ` + gotFile, true},
		}},
		{"rclone", "rclone", "rclone", map[string]string{"EPSV": "", "PASV": "--ftp-disable-epsv"}, []step{
			{"list", rclone(`lsf`, `:ftp:pub`) + ` | grep file >/dev/null`, false},
			{"download", rclone(`copyto`, `:ftp:pub/file got`) + `; ` + gotFile, false},
			{"upload", rclone(`copyto`, `"$SRC" ":ftp:up/$N"`) + `; ` + putFile, false},
			{"hundred files", rclone(`copy --transfers 8`, `:ftp:pub/many many`) + `; diff -r many "$F/pub/many"`, true},
		}},
		{"aria2", "aria2", "aria2c", map[string]string{"EPSV": "--ftp-pasv=true", "PORT": "--ftp-pasv=false"}, []step{
			{"download", `timeout 60 aria2c -q --no-conf --file-allocation=none --disable-ipv6=$([ $FAMILY = 4 ] && echo true || echo false) $M -o got "ftp://$U/pub/file"; ` + gotFile, false},
			{"200 MB in 4 parts", `timeout 300 aria2c -q --no-conf --file-allocation=none -x4 -s4 $M -o got "ftp://$U/pub/big"; cmp got "$F/pub/big"`, true},
		}},
	}
}

// lftp tries again, as it does unless told otherwise: in active mode it now and
// then misses that pyftpdlib, which connects before it answers PORT, has sent a
// file, and waits until its timeout. It does so by plain routing as well.
func lftp(commands string) string {
	return `timeout 240 lftp -c "set net:max-retries 6; set net:reconnect-interval-base 1; set net:timeout 10; set cmd:fail-exit yes; $M open -u anonymous,a@b ftp://$U; ` + commands + `"`
}

// tnftp asks for PASV where -v marks that mode; -v itself changes nothing.
func tnftp(commands string) string {
	return `printf "user anonymous a@b\n$([ "$MODE" = PASV ] && echo 'epsv4\nepsv6\n')binary\n` + commands + `\nquit\n" | timeout 120 tnftp -n $M "$H"`
}

func inetutils(commands string) string {
	return `printf "open $H\nuser anonymous a@b\nbinary\n` + "$([ \"$MODE\" = PASV ] && echo passive)" + `\n` + commands + `\nquit\n" | timeout 120 inetutils-ftp -n`
}

func rclone(command, paths string) string {
	return `RCLONE_CONFIG= timeout 120 rclone -q --retries 1 --low-level-retries 1 --ftp-host "$H" --ftp-user anonymous --ftp-pass "$(rclone obscure a@b)" $M ` + command + ` ` + paths
}

// bothModes are those of a script that is told what to ask for.
func bothModes() map[string]string {
	return map[string]string{"passive": "passive", "active": "active"}
}

// scripted are the steps of a script in testdata that takes $H, $M, the step
// and what is needed for it.
func scripted(program string) []step {
	run := func(step string) string { return program + ` "$H" "$M" ` + step }
	return []step{
		{"list", run(`list pub`) + ` | grep file >/dev/null`, false},
		{"MLSD", run(`mlsd pub`) + ` | grep file >/dev/null`, false},
		{"download", run(`get pub/file got`) + `; ` + gotFile, false},
		{"upload", run(`put "$SRC" "up/$N"`) + `; ` + putFile, false},
		{"append", `head -c 1000000 "$SRC" >a; tail -c +1000001 "$SRC" >b; ` + run(`append a b "up/$N"`) + `; ` + putFile, true},
		{"resume", `head -c 1000000 "$F/pub/file" >got; ` + run(`resume pub/file got`) + `; ` + gotFile, false},
		{"hundred files", `mkdir many; ` + run(`many pub/many many`) + `; diff -r many "$F/pub/many"`, true},
		{"abort and go on", run(`abort pub/big pub/file got`) + `; ` + gotFile, false},
		{"idle minute", run(`idle pub/file got`) + `; ` + gotFile, true},
	}
}
