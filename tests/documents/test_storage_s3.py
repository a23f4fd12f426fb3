"""A local folder and a private bucket behave the same, over a real S3 API."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from documents import services
from families import erasures
from families.holdings import fingerprint_of, holdings
from imuse import invariants
from tests.documents.conftest import PDF
from tests.documents.private_storages import BUCKET, PREFIX, s3_storage


class TestBoth:
    def test_what_is_handed_in_is_lent_byte_for_byte(self, private, proof_of, kept, client, parent):
        document = proof_of("avis 2026.pdf")
        client.force_login(parent)

        response = client.get(reverse("documents:download", args=[document.pk]))

        assert kept() == [f"{document.pk.hex[:2]}/{document.pk.hex}"]
        assert response.getvalue() == PDF
        wanted = {
            "Content-Type": "application/pdf",
            "Content-Length": str(len(PDF)),
            "Content-Disposition": 'attachment; filename="avis 2026.pdf"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        assert {name: response[name] for name in wanted} == wanted
        assert list(invariants.files()) == []

    def test_the_staff_reads_the_same(self, private, proof_of, client, registrar):
        document = proof_of()
        client.force_login(registrar)

        response = client.get(reverse("admin:documents_document_file", args=[document.pk]))

        assert response.getvalue() == PDF
        assert [access.actor for access in document.accesses.all()] == [registrar]

    def test_replaced_then_taken_back(self, private, proof_of, kept):
        proof_of()
        newer = proof_of()
        assert kept() == [newer.file.name]

        services.remove(newer)

        assert kept() == []

    def test_erased_with_its_household(self, private, proof_of, kept, family, director, parent):
        proof_of()
        request = erasures.ask(family, text="", actor=parent)

        expected = fingerprint_of(holdings(family))
        erasures.erase(request, answer="Fait.", actor=director, expected=expected)

        assert kept() == []

    def test_a_name_is_never_written_over(self, private):
        first = private.save("aa/name", ContentFile(b"one"))
        second = private.save("aa/name", ContentFile(b"two"))

        assert first != second
        with private.open(first) as stored:
            assert stored.read() == b"one"

    def test_it_has_no_address(self, private, proof_of):
        with pytest.raises(NotImplementedError):
            proof_of().file.url  # noqa: B018

    def test_a_file_that_is_lost_is_told(self, private, proof_of, client, parent, caplog):
        document = proof_of()
        private.delete(document.file.name)
        client.force_login(parent)

        response = client.get(reverse("documents:download", args=[document.pk]))

        assert response.status_code == 503
        assert "ne se trouve pas dans notre espace de stockage" in response.text
        assert "is not in the storage" in caplog.text
        assert list(invariants.files()) == [
            f"{document} ({document.pk})\u00a0: le fichier ne se lit pas (FileNotFoundError)."
        ]

    def test_to_delete_twice_is_once(self, private):
        name = private.save("aa/name", ContentFile(b"one"))

        private.delete(name)
        private.delete(name)

        assert not private.exists(name)


class TestBucket:
    def test_the_object_is_encrypted_and_nobody_else_reads_it(self, bucket, s3_server, proof_of):
        key = f"{PREFIX}/{proof_of().file.name}"

        head = s3_server.client.head_object(Bucket=BUCKET, Key=key)
        grants = s3_server.client.get_object_acl(Bucket=BUCKET, Key=key)["Grants"]

        assert head["ServerSideEncryption"] == "AES256"
        assert [(g["Grantee"]["Type"], g["Permission"]) for g in grants] == [
            ("CanonicalUser", "FULL_CONTROL")
        ]
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{s3_server.endpoint}/{BUCKET}/{key}")
        refusal.value.close()
        assert refusal.value.code == 403

    def test_with_a_key_of_the_town(self, s3_server):
        storage = s3_storage(s3_server.endpoint, encryption="aws:kms", kms_key="alias/pieces")

        name = storage.save("aa/name", ContentFile(b"one"))

        head = s3_server.client.head_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/pieces")

    def test_no_acl_goes_with_a_file(self, bucket, monkeypatch, proof_of):
        """A bucket « owner enforced », Amazon's default, refuses a file that comes with one."""
        sent = []
        client = bucket.connection.meta.client
        client.meta.events.register(
            "before-call.s3.PutObject", lambda params, **_: sent.append(params["headers"])
        )

        proof_of()

        [headers] = sent
        assert "x-amz-acl" not in {name.lower() for name in headers}
        assert headers["x-amz-server-side-encryption"] == "AES256"

    @pytest.mark.parametrize("style", ["path", "virtual"])
    def test_it_is_signed_and_addressed_as_the_host_wants(self, style):
        storage = s3_storage("https://s3.fr-par.scw.cloud", addressing_style=style)
        client = storage.connection.meta.client

        url = client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "a"})

        host = {
            "path": f"https://s3.fr-par.scw.cloud/{BUCKET}/a?",
            "virtual": f"https://{BUCKET}.s3.fr-par.scw.cloud/a?",
        }
        assert url.startswith(host[style])
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        assert "fr-par%2Fs3%2Faws4_request" in url
        client.close()

    def test_a_request_is_sent_twice_at_most(self):
        storage = s3_storage("https://s3.example", connect_timeout=3, read_timeout=10)

        config = storage.connection.meta.client.meta.config

        assert (config.connect_timeout, config.read_timeout) == (3, 10)
        assert config.retries["total_max_attempts"] == 2


def test_only_the_account_of_the_site_reads_the_folder(folder, proof_of):
    path = Path(folder.path(proof_of().file.name))

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
