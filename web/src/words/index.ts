import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { Refused } from "../api";
import { en, type Words } from "./en";
import { zh } from "./zh";

export type { Words };

export const LANGUAGES = { en, zh };
export type Language = keyof typeof LANGUAGES;

export const Spoken = createContext<Words>(en);

/** The words of the language that is spoken. */
export function useWords(): Words {
  return useContext(Spoken);
}

/** What is said of an error: a refusal in the words of the language where it has some for its code, else the server's. */
export function said(error: unknown, words: Words): string {
  const own = error instanceof Refused && words.refusals[error.problem.code ?? ""]?.(error.problem);
  return own || (error as Error).message || words.unreachable;
}

/** The language that was chosen here before, or that the browser asks for. */
export function usual(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}
