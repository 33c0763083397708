/** What a configuration was made from, so that an auditor can tell which one was in use. */
export interface ConfigOrigin {
  /** The hex SHA-256 of its text, in UTF-8 as it is in the file. */
  readonly sha256: string
  /** The same of the files that it names, by their paths as it has them: pinned keys and certificates, never secrets. */
  readonly files: Readonly<Record<string, string>>
  /** How many files were too many for `files`. */
  readonly omittedFiles?: number
}
