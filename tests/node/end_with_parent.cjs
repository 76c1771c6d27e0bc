// Loaded before a server with `node --require`: when the process that started it goes
// away, however it went, its end of this pipe closes and the server ends too.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
