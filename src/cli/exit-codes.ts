// docs/cli.md explains every exit code

/** The command was called wrongly. */
export const USAGE_ERROR = 2

/** `jeton exec` itself failed. The codes of its failures are high, so that they are not mistaken for the command's own. */
export const EXEC_FAILED = 125

/** `jeton exec` cannot run the command. */
export const CANNOT_RUN = 126

/** `jeton exec` cannot find the command. */
export const NOT_FOUND = 127
