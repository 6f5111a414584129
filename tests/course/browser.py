"""A headless Chromium that is used by keyboard, as by a person without a mouse."""

import shutil
import socket
import ssl
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "needs a browser: Debian's packages chromium and chromium-driver"
QUIET = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


class Browser:
    """One window, with nothing remembered from before."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(self, url: str) -> None:
        """Go to a page."""
        self._driver.get(url)

    @property
    def focused(self) -> str:
        """The name of what has the keyboard, as a screen reader says it."""
        return self._driver.switch_to.active_element.accessible_name

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        ActionChains(self._driver).send_keys(*keys).perform()

    def go_to(self, name: str) -> None:
        """Move on by the tab key to what has this name."""
        passed = []
        for _ in range(60):
            if self.focused == name:
                return
            passed.append(self.focused)
            self.press(Keys.TAB)
        raise AssertionError(f"The tab key does not lead to '{name}', but to: {passed}")

    def follow(self, name: str) -> None:
        """Go to a link or a button, and press Enter."""
        self.go_to(name)
        self.press(Keys.ENTER)

    def await_text(self, text: str, within: str = "body") -> str:
        """Wait until a text is to be seen; return all that is to be seen then."""
        place = (By.CSS_SELECTOR, within)
        WebDriverWait(self._driver, 15).until(lambda page: text in page.find_element(*place).text, f"'{text}' not seen")
        return self._driver.find_element(*place).text

    def texts(self, selector: str) -> list[str]:
        """What is to be read in all elements that fit."""
        return [element.text for element in self._driver.find_elements(By.CSS_SELECTOR, selector)]

    @property
    def kept(self) -> int:
        """How many things the page has stored in this browser."""
        return int(self._driver.execute_script("return sessionStorage.length + localStorage.length"))

    def picture(self, file: Path) -> bytes:
        """Take a picture of the window."""
        assert self._driver.save_screenshot(str(file))
        return file.read_bytes()


@contextmanager
def browser(profile: Path, authority: Path, url: str, language: str = "en-US") -> Iterator[Browser]:
    """Run Chromium. It trusts the server of `url`, because we do: `authority` has signed its certificate."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    given = (f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}", "--window-size=1000,640")
    for argument in (*QUIET, *given, f"--ignore-certificate-errors-spki-list={trusted_key(authority, url)}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def trusted_key(authority: Path, url: str) -> str:
    """Return the hash of a server's key, once chain and name of its certificate have been verified."""
    place = urlsplit(url)
    assert place.hostname and place.port
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("127.0.0.1", place.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=place.hostname) as secured,
    ):
        certificate = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(sha256(key).digest()).decode()


def colours(picture: bytes) -> int:
    """Return how many different bytes a PNG picture is made of: an empty window has a handful."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed = 8, b""
    while place < len(picture):
        length = int.from_bytes(picture[place : place + 4])
        if picture[place + 4 : place + 8] == b"IDAT":
            packed += picture[place + 8 : place + 8 + length]
        place += length + 12
    return len(set(zlib.decompress(packed)))
