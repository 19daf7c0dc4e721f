/** Options of an instance without limits of rates: the controls have none. */
export const UNLIMITED = {
  limits: {
    mutationsPerSecond: 1_000_000_000,
    eventsPerSecond: 1_000_000_000,
    requestsPerSecond: 1_000_000_000,
    maxRequestsInFlight: 1_000_000,
    maxConnectionsPerAddress: 1_000_000,
    connectsPerSecondPerAddress: 1_000_000,
  },
}
