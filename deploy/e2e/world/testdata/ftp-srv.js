// A server of ftp-srv for anybody: ADDRESS FOLDER.
const { FtpSrv } = require("ftp-srv");
const [address, root] = process.argv.slice(2);
const host = address.includes(":") ? `[${address}]` : address;
const server = new FtpSrv({ url: `ftp://${host}:21`, pasv_url: address, pasv_min: 20000, pasv_max: 29999, anonymous: true, log: { child() { return this; }, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} } });
server.on("login", (_, resolve) => resolve({ root }));
server.listen();
