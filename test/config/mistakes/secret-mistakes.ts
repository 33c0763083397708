import type { Mistake } from './mistake.ts'

const KEY = `jeton_${'s3cretS3cret'.repeat(3)}`

/** Secrets where they may be read: what is printed about them has none. */
export const SECRET_MISTAKES: readonly Mistake[] = [
  { title: 'the hash of an API key is cut off', change: [['86d081 }', ' }']] },
  { title: 'an API key stands in the place of its hash', change: [['9f86d081'.repeat(8), KEY]] },
  {
    title: 'an API key stands in the place of its name',
    change: [['subject: nightly-report', `subject: ${KEY}`]],
  },
  { title: 'an external id has a space', change: [['externalId: tell-nobody', 'externalId: tell nobody']] },
  {
    title: 'an external id has a second colon',
    change: [['externalId: tell-nobody', 'externalId: tell: nobody']],
  },
  {
    title: 'a colon is missing after an external id in braces',
    change: [
      ['  billing:\n', '  more: { engine: postgres, externalId tell-nobody, users: [a] }\n  billing:\n'],
    ],
  },
  {
    title: 'the line of an external id is broken off',
    change: [['externalId: tell-nobody', 'externalId:\n  tell-nobody']],
  },
  {
    title: 'an issuer has a password',
    change: [['https://login.example.com', 'https://me:hunter2@login.example.com']],
  },
  {
    title: 'a key stands in the place of its file',
    change: [['keyFile: store.key', 'keyFile: aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd28=']],
  },
  { title: 'a comment has a secret', change: [['port: 5432', 'port: 5 # hunter2']] },
]
