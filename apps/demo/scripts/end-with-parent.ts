// Loaded into an instance before everything else: when the process that started it goes, however it goes, so does the instance.

/** Longer than closing takes. */
const AT_LAST_MS = 6_000

// What it prints while it ends reaches nobody: without a listener the broken pipe would be an error, printed to the broken pipe.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), AT_LAST_MS).unref()
})
process.channel?.unref()
