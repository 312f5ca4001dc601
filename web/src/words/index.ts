import { createContext } from "preact";
import { useContext } from "preact/hooks";
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

/** The language that was chosen here before, or that the browser asks for. */
export function usual(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}
