package wire_test

import (
	"testing"

	"ftpalg/alg/wire"
)

func TestParsePORT(t *testing.T) {
	accept(t, parsePORT, []accepted{
		{"PORT «192,0,2,7,4,1»\r\n", "192.0.2.7:1025"},
		{"port «192,0,2,7,4,1»\n", "192.0.2.7:1025"},
		{"PORT   «192,0,2,7,4,1»  \r\n", "192.0.2.7:1025"},
		{"PORT «192 , 0,2 ,7, 4,\t1»\r\n", "192.0.2.7:1025"},
		{"PORT «255,255,255,255,255,255»\r\n", "255.255.255.255:65535"},
		{"PORT «0,0,0,0,0,1»\r\n", "0.0.0.0:1"},
		{"PORT «010,000,002,007,004,001»\r\n", "10.0.2.7:1025"},
		{"\xff\xf1PORT «192,0,2,7,4,1»\r\n", "192.0.2.7:1025"},
	})
	reject(t, parsePORT, []rejected{
		{"PORT«\r\n", wire.Missing},
		{"PORT   «\r\n", wire.Missing},
		{"PORT «192,0,2,7,4\r\n", wire.WrongCount},
		{"PORT «192,0,2,7,4,1,9\r\n", wire.WrongCount},
		{"PORT «7\r\n", wire.WrongCount},
		{"PORT «256,0,2,7,4,1\r\n", wire.OutOfRange},
		{"PORT 192,0,2,7,«256,1\r\n", wire.OutOfRange},
		{"PORT 192,0,2,7,4,«65557\r\n", wire.OutOfRange},
		{"PORT «0192,0,2,7,4,1\r\n", wire.OutOfRange},
		{"PORT 192,0,2,7,4,«00000000000000000001\r\n", wire.OutOfRange},
		{"PORT 192,0,2,7,«0,0\r\n", wire.OutOfRange},
		{"PORT «-192,0,2,7,4,1\r\n", wire.NotNumber},
		{"PORT «+192,0,2,7,4,1\r\n", wire.NotNumber},
		{"PORT 192«,-0,2,7,4,1\r\n", wire.NotNumber},
		{"PORT 0«xC0,0,2,7,4,1\r\n", wire.NotNumber},
		{"PORT «(192,0,2,7,4,1)\r\n", wire.NotNumber},
		{"PORT 192,0,2,7,4,1«)\r\n", wire.NotNumber},
		{"PORT 192,0,2,7,4,1«,\r\n", wire.NotNumber},
		{"PORT 192«,,2,7,4,1\r\n", wire.NotNumber},
		{"PORT 192«.0.2.7,4,1\r\n", wire.NotNumber},
		{"PORT 192,0,2,7,4,1« PORT\r\n", wire.NotNumber},
		{"PORT 192,0,2,7,4,1«\x00\r\n", wire.NotNumber},
		{"PORT 1«\xff\xf192,0,2,7,4,1\r\n", wire.NotNumber},
		{"PORT «１９２,0,2,7,4,1\r\n", wire.NotNumber},
	})
}

func TestParse227(t *testing.T) {
	accept(t, wire.Parse227, []accepted{
		{"227 Entering Passive Mode («192,0,2,1,4,5»).\r\n", "192.0.2.1:1029"},
		{"227 Entering Passive Mode («192,0,2,1,4,5»)\n", "192.0.2.1:1029"},
		{"227 Entering Passive Mode. «192,0,2,1,4,5»\r\n", "192.0.2.1:1029"},
		{"227 Entering Passive Mode «192,0,2,1,4,5».\r\n", "192.0.2.1:1029"},
		{"227 «192,0,2,1,4,5»\r\n", "192.0.2.1:1029"},
		{"227 =«192,0,2,1,4,5»\r\n", "192.0.2.1:1029"},
		{"227 Entering Passive Mode ( «192, 0, 2, 1, 4, 5» )\r\n", "192.0.2.1:1029"},
		{"227 Mode 2 ok («192,0,2,1,4,5») 16 left\r\n", "192.0.2.1:1029"},
		{"227 Antwort in 1,5 s («192,0,2,1,4,5»)\r\n", "192.0.2.1:1029"},
		{"227 Passivmodus gew\xe4hlt\xe9«192,0,2,1,4,5»\xe9\r\n", "192.0.2.1:1029"},
		{"227 进入被动模式（«192,0,2,1,4,5»）\r\n", "192.0.2.1:1029"},
		{"227 Passive Mode, «192,0,2,1,4,5», go\r\n", "192.0.2.1:1029"},
		{"227 Entering Passive Mode («0,0,0,0,0,1»)\r\n", "0.0.0.0:1"},
		{"227 Entering Passive Mode («192,000,002,001,004,005»)\r\n", "192.0.2.1:1029"},
		{"227-«192,0,2,1,4,5»\r\n", "192.0.2.1:1029"},
		{"227 SPSV 192 ftp («192,0,2,1,4,5»)\r\n", "192.0.2.1:1029"},
		{"227 127.0.0.1 says («192,0,2,1,4,5»)\r\n", "192.0.2.1:1029"},
	})
	reject(t, wire.Parse227, []rejected{
		{"«226 ok (192,0,2,1,4,5)\r\n", wire.Missing},
		{"«227192,0,2,1,4,5\r\n", wire.Missing},
		{"«\r\n", wire.Missing},
		{"227«\r\n", wire.Missing},
		{"227 «Entering Passive Mode\r\n", wire.Missing},
		{"227 «Mode 2\r\n", wire.Missing},
		{"227 «Entering Passive Mode (|||6446|)\r\n", wire.Missing},
		{"227 «(１９２，０，２，１，４，５)\r\n", wire.Missing},
		{"227 («192,0,2,1,4)\r\n", wire.WrongCount},
		{"227 («192,0,2,1,4,5,6)\r\n", wire.WrongCount},
		{"227 1,5 s (192.0.2«.1,4,5)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5) («198,51,100,1,4,5)\r\n", wire.Ambiguous},
		{"227 (192,0,2,1,4,5,6) («198,51,100,1,4,5)\r\n", wire.Ambiguous},
		{"227 («1216,256,2,127,127,127)\r\n", wire.OutOfRange},
		{"227 (192,«256,2,1,4,5)\r\n", wire.OutOfRange},
		{"227 (192,0,2,1,«0,0)\r\n", wire.OutOfRange},
		{"227 (192,0,2,1,4,«0005)\r\n", wire.OutOfRange},
		{"227 («-192,0,2,1,4,5)\r\n", wire.Joined},
		{"227 («+192,0,2,1,4,5)\r\n", wire.Joined},
		{"227 (0x«C0,0,2,1,4,5,6)\r\n", wire.Joined},
		{"227 (0x«C0,0,2,1,4,5)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5«h)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5«.6)\r\n", wire.Joined},
		{"227 (7«.192,0,2,1,4,5)\r\n", wire.Joined},
		{"227 («,192,0,2,1,4,5)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5«,)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5«,-6)\r\n", wire.Joined},
		{"227 (192,0,2,1,4,5«６)\r\n", wire.Joined},
		{"227 (\xef\xbc«\x9192,0,2,1,4,5)\r\n", wire.Joined}, // １92: the last byte of the first digit
	})
}
