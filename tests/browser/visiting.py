"""A visitor of the dashboard: goes to a panel, moves what is there, reads what it says."""

from dataclasses import dataclass

from playwright.sync_api import Browser, Page

# Milliseconds a page may take: the other worker trains networks meanwhile, on the same two cores.
PATIENCE = 300_000


def new_page(browser: Browser) -> Page:
    """Return an empty page of a desktop's size, which waits for a busy machine."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


@dataclass
class Visit:
    """A page of the dashboard, with every request it made and every error in its console."""

    page: Page
    requests: list[str]
    console_errors: list[str]

    def open_compare(self) -> None:
        """Go to the panel "Compare"."""
        self.page.get_by_role("tab", name="Compare").click()
        self.page.wait_for_selector(".lumbar-table")

    def open_diagnose(self, source: str = "a phantom") -> None:
        """Go to the panel "Diagnose", choose where the picture comes from, and wait for the heat map of a phantom."""
        self.page.get_by_role("tab", name="Diagnose").click()
        self.page.get_by_role("button", name=source).click()
        if source != "a phantom":
            self.page.wait_for_selector(".lumbar-upload")
            return
        self.page.wait_for_selector(".lumbar-picture img[alt^='Phantom patient']")
        self.page.wait_for_selector(".lumbar-picture img.lumbar-heat")

    def open_panel(self, name: str) -> None:
        """Go to a panel by its tab, and wait until it has been built and its charts are drawn."""
        self.page.get_by_role("tab", name=name, exact=True).click()
        self.page.wait_for_function(
            """() => {
                const shown = [...document.querySelectorAll('.lumbar-tabs > .widget-tab-contents .lumbar-card')]
                    .filter(card => card.offsetParent);
                return shown.length > 1 && shown.filter(card => card.matches('.lumbar-chart')).every(
                    card => card.querySelector('.js-plotly-plot .main-svg'));
            }"""
        )

    def state(self) -> dict[str, str]:
        """Return what the panel "Diagnose" shows: picture, heat map, probabilities, heading of the verdict."""
        return self.page.evaluate(
            """() => ({
                picture: document.querySelector('.lumbar-picture img')?.src,
                heat: document.querySelector('img.lumbar-heat')?.src,
                probabilities: document.querySelector('.lumbar-verdict .lumbar-caption')?.innerText,
                verdict: document.querySelector('.lumbar-answer')?.innerText,
            })"""
        )

    def slider(self, label: str):
        """Return the handle of the slider with this visible label."""
        return self.page.locator(".lumbar-control", has_text=label).locator(".noUi-handle")

    def upload(self, name: str, content: bytes) -> None:
        """Choose one file with the upload button."""
        with self.page.expect_file_chooser() as chooser:
            self.page.locator(".lumbar-upload").click()
        chooser.value.set_files([{"name": name, "mimeType": "application/octet-stream", "buffer": content}])

    def messages(self) -> list[str]:
        """Return the sentences of the log, the newest first."""
        return self.page.locator(".lumbar-log li").all_inner_texts()
