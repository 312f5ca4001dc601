import { useEffect, useState } from "preact/hooks";
import { models as served, Refused, useKey } from "./api";
import { AskPage } from "./ask/AskPage";
import { CardPage } from "./models/CardPage";
import { RacePage } from "./race/RacePage";
import { RunsPage } from "./runs/RunsPage";
import { useAddress } from "./address";
import type { Model } from "./types";
import { LANGUAGES, said, Spoken, useWords, usual, type Language } from "./words";

const PAGES = ["ask", "race", "trainings", "models"] as const;
const LOOKS = ["auto", "light", "dark"] as const;

/** The whole page: what is served, and the part of it that the address names. */
export function App() {
  const [language, setLanguage] = useState<Language>(usual);
  const [look, setLook] = useState(() => localStorage.getItem("look") ?? "auto");
  const [models, setModels] = useState<Model[] | null>(null);
  const [refused, setRefused] = useState<Refused | null>(null);
  const [address, go] = useAddress();
  const words = LANGUAGES[language];

  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    localStorage.setItem("language", language);
  }, [language]);
  useEffect(() => {
    document.documentElement.dataset.look = look;
    localStorage.setItem("look", look);
  }, [look]);

  async function load() {
    try {
      setModels(await served());
      setRefused(null);
    } catch (error) {
      if (error instanceof Refused) setRefused(error);
    }
  }
  useEffect(() => void load(), []);

  const page = PAGES.find((name) => name === address.page) ?? (models?.length === 0 ? "trainings" : "ask");
  const model = models?.find((one) => one.name === address.query.model) ?? models?.[0];
  return (
    <Spoken.Provider value={words}>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")?.focus(); }}>
        {words.skip}
      </a>
      <header>
        <h1>headway</h1>
        <nav aria-label={words.parts}>
          {PAGES.map((name) => (
            <a href={`#/${name}${model ? `?model=${encodeURIComponent(model.name)}` : ""}`} aria-current={name === page ? "page" : undefined}>
              {words[name]}
            </a>
          ))}
        </nav>
        <div class="corner">
          <label>
            <span class="unseen">{words.language}</span>
            <select value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
              <option value="en" lang="en">English</option>
              <option value="zh" lang="zh-Hans">中文</option>
            </select>
          </label>
          <label>
            <span class="unseen">{words.look}</span>
            <select value={look} onChange={(event) => setLook(event.currentTarget.value)}>
              {LOOKS.map((name) => <option value={name}>{words[name]}</option>)}
            </select>
          </label>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {refused?.status === 401 ? (
          <KeyForm onKey={(key) => { useKey(key); void load(); }} />
        ) : refused ? (
          <p class="refusal" role="alert">{said(refused, words)}</p>
        ) : !models ? (
          <p class="quiet">{words.loading}</p>
        ) : page === "trainings" ? (
          <RunsPage run={address.query.run} go={go} />
        ) : !model ? (
          <p class="quiet">{words.noModels}</p>
        ) : (
          <>
            {page !== "race" && <Chooser models={models} model={model} onModel={(name) => go({ model: name })} />}
            {page === "ask" && <AskPage key={model.name} model={model} first={address.query.input} go={go} />}
            {page === "race" && <RacePage models={models} first={address.query.input} go={go} />}
            {page === "models" && <CardPage key={model.name} model={model} />}
          </>
        )}
      </main>
    </Spoken.Provider>
  );
}

function KeyForm(props: { onKey: (key: string) => void }) {
  const words = useWords();
  const [key, setKey] = useState("");
  return (
    <form class="stack" onSubmit={(event) => { event.preventDefault(); props.onKey(key); }}>
      <p>{words.keyNeeded}</p>
      <label>{words.key} <input type="password" autocomplete="off" value={key} onInput={(event) => setKey(event.currentTarget.value)} /></label>
      <button type="submit">{words.useKey}</button>
    </form>
  );
}

function Chooser(props: { models: Model[]; model: Model; onModel: (name: string) => void }) {
  const words = useWords();
  return (
    <div class="chooser">
      <label>
        {words.model}
        <select value={props.model.name} onChange={(event) => props.onModel(event.currentTarget.value)}>
          {props.models.map((one) => <option value={one.name}>{one.name}</option>)}
        </select>
      </label>
      <p class="quiet">
        {props.model.task}: {words[props.model.task]}
      </p>
    </div>
  );
}
