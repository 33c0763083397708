/** What to do, where more than one step may ask for it. */
export const CHECK_CONNECT = 'if `connect` is configured, check that it leads to this database'
export const CHECK_PORT =
  'check `engine` and `port` in the configuration of jeton: they must be those that RDS shows'
export const MORE_TIME = 'give --timeout SECONDS'
