export function RacePage(_: any) { return null; }
