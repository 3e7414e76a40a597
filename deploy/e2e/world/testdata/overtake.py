"""Breaks off uploads and counts how often the server takes one for whole: HOST ROUNDS."""
import sys
from ftplib import FTP

host, rounds = sys.argv[1], int(sys.argv[2])
ftp = FTP(timeout=20)
ftp.connect(host, 21)
ftp.login()
ftp.voidcmd("TYPE I")
whole = 0


def reply():
    text = ftp.getmultiline()
    return text[:3]


for i in range(rounds):
    data = ftp.transfercmd("STOR up/overtake")
    data.sendall(b"x" * 65536)
    ftp.sock.sendall(b"ABOR\r\n")
    data.close()
    first = reply()
    whole += first == "226"
    # The reply to ABOR, if the server sends two; NOOP finds the place again.
    ftp.sock.sendall(b"NOOP\r\n")
    while reply() != "200":
        pass
ftp.quit()
print(whole, rounds)
