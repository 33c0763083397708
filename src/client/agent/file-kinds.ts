import type { ClientFamily } from '../client-family.ts'
import { dotenvForm } from '../forms/dotenv.ts'
import type { Form } from '../forms/form.ts'
import { mycnfForm } from '../forms/mycnf.ts'
import { pgpassForm } from '../forms/pgpass.ts'
import { serviceForm } from '../forms/service.ts'
import { userlistForm } from '../forms/userlist.ts'
import type { BlockFormat } from './place-block.ts'

/** A file that others may have lines in, too: an agent keeps a block for each login. */
export interface SharedKind extends BlockFormat {
  readonly form: Form
  /** Whether its lines have the token in them. */
  readonly hasToken: boolean
  /** What no two logins of one file may have in common, since its readers could not tell them apart; undefined if that is nothing. */
  clashOf?(login: { user: string }): string
}

const EVERYTHING = () => 'the only login'

/** The options that name a file in which lines of others stay. */
export const SHARED_KINDS = {
  pgpass: { form: pgpassForm, hasToken: true, comment: '#', place: 'first', hasSections: false },
  service: { form: serviceForm, hasToken: false, comment: '#', place: 'first', hasSections: true },
  mycnf: {
    form: mycnfForm,
    hasToken: true,
    comment: '#',
    place: 'last',
    hasSections: true,
    clashOf: EVERYTHING,
  },
  dotenv: {
    form: dotenvForm,
    hasToken: true,
    comment: '#',
    place: 'last',
    hasSections: false,
    clashOf: EVERYTHING,
  },
  userlist: {
    form: userlistForm,
    hasToken: true,
    comment: ';',
    place: 'last',
    hasSections: false,
    clashOf: ({ user }) => `the user ${user}`,
  },
} as const satisfies Readonly<Record<string, SharedKind>>

export type SharedKindName = keyof typeof SHARED_KINDS

/** The options of files that are an agent's own, from the first byte to the last. */
export const OWN_KINDS = ['json', 'ca'] as const

/** The name of an option, without its dashes. */
export type FileKindName = SharedKindName | (typeof OWN_KINDS)[number]

/** Returns the only clients that read a kind of file; undefined for any. */
export function familyOf(kind: FileKindName): ClientFamily | undefined {
  return kind === 'json' || kind === 'ca' ? undefined : SHARED_KINDS[kind].form.family
}

/** Whether the lines of a kind of file name a CA bundle. */
export function refersToCa(kind: FileKindName): boolean {
  return kind !== 'json' && kind !== 'ca' && SHARED_KINDS[kind].form.refersToCa
}
