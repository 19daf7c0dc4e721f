import { readFileSync } from 'node:fs'

const DOCUMENT = new URL('../../../docs/security.md', import.meta.url)

/** A Redis user with exactly the rights that an instance needs. */
export interface DocumentedAcl {
  /** Lines of an ACL file: that user, an `admin` with all rights, and no others. */
  readonly users: string
  /** The part before the host in the URL of that user, `name:password`. */
  readonly credentials: string
  /** The same for the admin. */
  readonly adminCredentials: string
}

/** The ACL in `docs/security.md`, unchanged; with the rights of further blocks, by their names. */
export function documentedAcl(...more: string[]): DocumentedAcl {
  const text = readFileSync(DOCUMENT, 'utf8')
  const blockOf = (name: string): string | undefined => new RegExp(`^\`\`\`${name}\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1]
  const rights = more.map((name) => ` ${blockOf(name)?.trim() ?? ''}`).join('')
  const block = blockOf('acl')?.replace(/^user (?!default).*$/m, `$&${rights}`)
  const [, name, password] = /^user (\w+) on >(\S+)/m.exec(block ?? '') ?? []
  if (block === undefined || name === undefined || password === undefined) throw new Error('docs/security.md has no user in an acl block.')
  return { users: `${block}user admin on >admin ~* &* +@all\n`, credentials: `${name}:${password}`, adminCredentials: 'admin:admin' }
}
