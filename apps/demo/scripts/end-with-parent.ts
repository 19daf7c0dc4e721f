// Loaded into an instance before everything else: when the process that started it goes, however it goes, so does the instance.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
