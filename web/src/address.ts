import { useEffect, useState } from "preact/hooks";

/** What stands behind the # of the address: which part of the page, and what is asked there. */
export interface Address {
  page: string;
  query: Record<string, string>;
}

export type Go = (query: Record<string, string | undefined>) => void;

function read(): Address {
  const [page, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { page, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

/** The address, and a way to change what is asked there without a step back for each change. */
export function useAddress(): [Address, Go] {
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const changed = () => setAddress(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const go: Go = (query) => {
    const { page, query: before } = read();
    const all = Object.entries({ ...before, ...query }).filter((one): one is [string, string] => !!one[1]);
    history.replaceState(null, "", `#/${page}?${new URLSearchParams(all)}`);
    setAddress(read());
  };
  return [address, go];
}
