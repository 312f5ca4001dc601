export function Walk(_: any) { return null; }
