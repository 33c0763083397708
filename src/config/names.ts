/** What issuers, API keys and grants may be called: safe in a log, a path and a command line. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
export const NAME_FORM = 'letters, digits, _, . and -, a letter or digit first, 64 at most'
