/** Octets: enough for a burst of some thousand messages while the process is busy; the system may grant less. */
export const RECEIVE_BUFFER = 4 * 1024 * 1024
