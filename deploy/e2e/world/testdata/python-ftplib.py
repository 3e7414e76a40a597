"""One step of the matrix with Python's ftplib: HOST MODE STEP ARGUMENTS."""
import sys, time
from ftplib import FTP

host, mode, step, *args = sys.argv[1:]
ftp = FTP(timeout=30)
ftp.connect(host, 21)
ftp.login("anonymous", "a@b")
ftp.set_pasv(mode == "passive")


def get(name, to, rest=None):
    with open(to, "ab" if rest else "wb") as f:
        ftp.retrbinary("RETR " + name, f.write, rest=rest)


if step == "list":
    ftp.retrlines("LIST " + args[0])
elif step == "mlsd":
    for name, facts in ftp.mlsd(args[0]):
        print(facts.get("type"), name)
elif step == "get":
    get(*args)
elif step == "put":
    ftp.storbinary("STOR " + args[1], open(args[0], "rb"))
elif step == "append":
    ftp.storbinary("STOR " + args[2], open(args[0], "rb"))
    ftp.storbinary("APPE " + args[2], open(args[1], "rb"))
elif step == "resume":
    get(args[0], args[1], 1000000)
elif step == "many":
    ftp.cwd(args[0])
    for name in [n for n in ftp.nlst() if n not in (".", "..")]:
        get(name, args[1] + "/" + name)
elif step == "abort":
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd("RETR " + args[0])
    data.recv(100000)
    ftp.sock.sendall(b"ABOR\r\n")
    data.close()
    while True:  # 426 and 226, or one of them
        reply = ftp.getmultiline()
        if reply[0] == "2":
            break
    ftp.sock.settimeout(1)
    try:
        ftp.getmultiline()
    except (TimeoutError, OSError):
        pass
    ftp.sock.settimeout(30)
    ftp.file = ftp.sock.makefile("r", encoding=ftp.encoding)
    get(args[1], args[2])
elif step == "idle":
    ftp.retrlines("LIST", lambda _: None)
    time.sleep(60)
    get(*args)
ftp.quit()
