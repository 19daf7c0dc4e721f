// Loaded before the script of an instance: ends the process with the test process, even if it waits for a Redis that has ended
// with the test process, too.
process.on('disconnect', () => process.exit(0))
