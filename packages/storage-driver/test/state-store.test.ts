import { documentedAcl } from '@tutti/test-kit'
import { stateStoreContract } from '../src/testing/index.ts'
import { fileStore, memoryStore, redisStores } from './stores.ts'

stateStoreContract('two instances on one Redis', () => redisStores())
stateStoreContract('two instances under the documented ACL', () => redisStores({ base: 'tutti', acl: documentedAcl() }))
stateStoreContract('one process over the memory driver', memoryStore)
stateStoreContract('one process over the fs driver', fileStore)
