export function CardPage(_: any) { return null; }
