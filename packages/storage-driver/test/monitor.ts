import { monitorRedis, type TestRedis } from '@tutti/test-kit'

/** The names of the commands that clients send to a Redis while the work is done, without those called by scripts. */
export async function monitor(redis: TestRedis, work: () => Promise<void>): Promise<string[]> {
  const watching = await monitorRedis(redis)
  await work()
  const commands = await watching.commands()
  watching.close()
  return commands.filter(({ isOfScript }) => !isOfScript).map(({ name }) => name)
}
