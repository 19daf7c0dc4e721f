import { documentedAcl } from '@tutti/test-kit'
import { logsContract } from '../../src/testing/index.ts'
import { driverLogs, memoryLogs, redisLogs } from './logs-places.ts'

logsContract('two instances on one Redis', () => redisLogs())
logsContract('two instances under the documented ACL', () => redisLogs(documentedAcl()))
logsContract('logs in memory', memoryLogs)
logsContract('logs in a driver', driverLogs, { withoutGroups: true })
