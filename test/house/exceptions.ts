/** Names that several files export, with the reason. One that is not needed any more is a problem too. */
export interface SharedNames {
  readonly names: readonly string[]
  /** Every file that exports them, and no other. */
  readonly files: readonly string[]
  readonly because: string
}

const PUBLIC_LIBRARY = 'index.ts is all that `jeton/client` exports, and nothing of jeton imports it'

export const SHARED_NAMES: readonly SharedNames[] = [
  {
    names: ['options', 'schema', 'validate'],
    files: ['src/config/fast-validator.ts', 'src/config/validator.ts', 'src/http/validator.ts'],
    because:
      'build/lambda.mjs puts compiled validators in the place of these files and reads the same names from each',
  },
  {
    names: ['createTokens'],
    files: ['src/client/library/create-tokens.ts', 'src/client/library/index.ts'],
    because: PUBLIC_LIBRARY,
  },
  {
    names: ['isLoginRefused'],
    files: ['src/client/library/index.ts', 'src/client/library/login-refused.ts'],
    because: PUBLIC_LIBRARY,
  },
  {
    names: ['TokenError'],
    files: ['src/client/library/index.ts', 'src/client/library/token-error.ts'],
    because: PUBLIC_LIBRARY,
  },
  {
    names: [
      'CallOptions',
      'MariadbOptions',
      'Mysql2Options',
      'PgOptions',
      'Tokens',
      'TokensOptions',
      'VendedToken',
    ],
    files: ['src/client/library/index.ts', 'src/client/library/types.ts'],
    because: PUBLIC_LIBRARY,
  },
]

/** A file of more than MAX_LINES, with the reason. */
export interface LongFile {
  readonly path: string
  readonly because: string
}

export const LONG_FILES: readonly LongFile[] = [
  {
    path: 'src/config/schema.ts',
    because: 'the whole configuration in the order of docs/configuration.md, to be read beside it',
  },
]

/** An identifier with a retired word that has to stay, for another party reads it. */
export interface KeptIdentifier {
  readonly path: string
  readonly identifier: string
  readonly because: string
}

export const KEPT_IDENTIFIERS: readonly KeptIdentifier[] = [
  {
    path: 'src/store/keyring/data-key-record.ts',
    identifier: 'sealed',
    because: 'a field of the data-key record, which other releases of the fleet read',
  },
  {
    path: 'test/store/keyring/kms-keyring.test.ts',
    identifier: 'sealed',
    because: 'the same field, as its golden test has it',
  },
  {
    path: 'test/bench/main.ts',
    identifier: 'rivals',
    because: 'the name of a benchmark, as readers of its figures ask for it',
  },
]

/** A retired word that is another field's word in one folder; the path ends with `/`. */
export interface KeptWord {
  readonly folder: string
  readonly word: string
  readonly because: string
}

const GATEWAY_WORD = "API Gateway's word for a deployment of an API"

export const KEPT_WORDS: readonly KeptWord[] = [
  { folder: 'src/lambda/', word: 'stage', because: GATEWAY_WORD },
  { folder: 'test/lambda/', word: 'stage', because: GATEWAY_WORD },
  { folder: 'test/infra/', word: 'stage', because: GATEWAY_WORD },
  { folder: 'test/support/lambda/', word: 'stage', because: GATEWAY_WORD },
  { folder: 'test/simulation/', word: 'steady', because: 'a load that stays the same is called so' },
]
