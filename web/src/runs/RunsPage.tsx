export function RunsPage(_: any) { return null; }
