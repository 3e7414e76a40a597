// One step of the matrix with basic-ftp: HOST MODE STEP ARGUMENTS.
const ftp = require("basic-ftp");
const [host, mode, step, ...args] = process.argv.slice(2);
const steps = {
  list: async (c) => (await c.list(args[0])).forEach((f) => console.log(f.name)),
  mlsd: async (c) => { c.availableListCommands = ["MLSD"]; (await c.list(args[0])).forEach((f) => console.log(f.name)); },
  get: (c) => c.downloadTo(args[1], args[0]),
  put: (c) => c.uploadFrom(args[0], args[1]),
  append: async (c) => { await c.uploadFrom(args[0], args[2]); await c.appendFrom(args[1], args[2]); },
  resume: (c) => c.downloadTo(args[1], args[0], 1000000),
  many: (c) => c.downloadToDir(args[1], args[0]),
  abort: async (c) => { // the library's way to break off is to close the connection
    const broken = c.downloadTo("broken", args[0]).catch(() => {});
    await new Promise((r) => setTimeout(r, 50));
    c.close();
    await broken;
    await connect(c);
    await c.downloadTo(args[2], args[1]);
  },
  idle: async (c) => { await c.list(); await new Promise((r) => setTimeout(r, 60000)); await c.downloadTo(args[1], args[0]); },
};
async function connect(c) {
  await c.access({ host, user: "anonymous", password: "a@b" });
  if (mode === "PASV") c.prepareTransfer = require("basic-ftp").enterPassiveModeIPv4;
}
(async () => {
  const c = new ftp.Client(30000);
  await connect(c);
  await steps[step](c);
  c.close();
})().catch((e) => { console.error(e); process.exit(1); });
