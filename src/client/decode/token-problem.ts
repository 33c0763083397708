/** What can be wrong with a token, for scripts: never renamed. */
export type TokenProblemCode =
  | 'not_a_token'
  | 'whitespace'
  | 'quotes'
  | 'prefix'
  | 'suffix'
  | 'escaped'
  | 'encoded_twice'
  | 'decoded'
  | 'other_characters'
  | 'cut'
  | 'no_port'
  | 'no_path'
  | 'not_rds_endpoint'
  | 'other_service'
  | 'wrong_action'
  | 'wrong_user'
  | 'wrong_host'
  | 'wrong_port'
  | 'wrong_region'
  | 'malformed'
  | 'no_session_token'
  | 'lifetime'
  | 'expired'
  | 'not_yet_valid'

/** One thing for which a database refuses a token. The message quotes nothing that is secret. */
export interface TokenProblem {
  readonly code: TokenProblemCode
  readonly message: string
}
