// Loaded into an instance first: when the process that started it ends for any reason, the instance ends too.

/** Longer than closing takes. */
const AT_LAST_MS = 6_000

// Its output can no longer be delivered: without a listener the broken pipe would be an error, printed to the broken pipe.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), AT_LAST_MS).unref()
})
process.channel?.unref()
