"""English to German: the help of LibreOffice."""

from headway.data.corpora._libreoffice import LibreOfficeHelp, edition, pages


class LibreOfficeHelpEnDe(LibreOfficeHelp):
    title = "LibreOffice help (English to German)"
    about = "35,500 pairs of headings and paragraphs, 480,000 English words."
    package = edition("libreoffice-help-de")
    members = (pages("en-US"), pages("de"))
    origin = "The help pages of LibreOffice, translated by its community; the release is Debian's."
    recipe = (
        "Headings and paragraphs of pages with the same name are joined by their id, stripped of markup, with blanks "
        "folded; where a page words something for several systems, its default is taken. Pairs whose target is the "
        "source are left out. "
        "What training holds already is then taken out of the other parts."
    )
    language = "de"
