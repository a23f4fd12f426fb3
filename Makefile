# Les commandes du projet : `make` les liste. Rien à installer avant, sinon Python 3.11 et make.

SHELL := bash
.NOTPARALLEL:

PORT ?= 8000
CHROMIUM ?= /usr/bin/chromium
TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest

# What the shell may hold for another installation must not leak into these.
ALONE := env -u ALLOWED_HOSTS -u BEHIND_PROXY -u DATABASE_URL -u DEBUG -u DEFAULT_FROM_EMAIL \
	-u EMAIL_URL -u S3_ADDRESSING -u S3_BUCKET -u S3_CONNECT_TIMEOUT -u S3_ENCRYPTION \
	-u S3_ENDPOINT_URL -u S3_KMS_KEY -u S3_PREFIX -u S3_READ_TIMEOUT -u S3_REGION \
	-u PAYFIP_URL -u SECRET_KEY -u SITE_NAME -u SITE_URL -u SSL_REDIRECT \
	-u STAFF_SECOND_FACTOR -u TRUSTED_PROXIES -u PASSWORD_MIN_LENGTH -u PASSWORD_MAX_LENGTH \
	-u SESSION_IDLE_MINUTES
DEMO := $(ALONE) DEBUG=on SECRET_KEY=cle-de-demonstration SITE_URL=http://127.0.0.1:$(PORT) \
	DJANGO_RUNSERVER_HIDE_WARNING=true PYTHONUNBUFFERED=1
DEMO_ONLINE = $(DEMO) PAYFIP_URL=http://127.0.0.1:$$payfip/tpa
PRODUCTION = $(ALONE) SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	ALLOWED_HOSTS=conservatoire.example SITE_URL=https://conservatoire.example \
	DATABASE_URL=postgres://imuse@127.0.0.1/imuse EMAIL_URL=smtps://127.0.0.1:587 S3_BUCKET=pieces \
	S3_REGION=fr-par

.PHONY: help
help: ## Liste ces commandes
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) \
	| while IFS=$$'\t' read -r name purpose; do printf '  make %-14s %s\n' "$$name" "$$purpose"; done

# --- La démonstration -------------------------------------------------------------------------

.PHONY: demo
demo: STEP := 1/4$(empty) $(empty)
demo: port-free .venv/demo.txt ## Ouvre un conservatoire de démonstration (make demo PORT=8123 : autre port)
	@echo "2/4 Préparation de la base de données…"
	@$(DEMO) $(PYTHON) manage.py migrate --verbosity 0
	@echo "3/4 Chargement du conservatoire de démonstration…"
	@$(DEMO) $(PYTHON) manage.py demo
	@echo "4/4 Le site s'ouvre sur http://127.0.0.1:$(PORT)/extranet/ (Ctrl-C pour l'arrêter)"
	@payfip=$$(( $(PORT) + 1 )); \
	while (exec 3<>/dev/tcp/127.0.0.1/$$payfip) 2>/dev/null; do payfip=$$(( payfip + 1 )); done; \
	trap 'kill $$site $$mails $$bank 2>/dev/null' EXIT; trap 'exit 0' INT TERM HUP; \
	$(DEMO_ONLINE) $(PYTHON) manage.py payfip_simulator --port $$payfip & bank=$$!; \
	$(DEMO_ONLINE) $(PYTHON) manage.py send_mails --forever & mails=$$!; \
	$(DEMO_ONLINE) $(PYTHON) manage.py runserver --noreload $(PORT) & site=$$!; \
	wait $$site

.PHONY: demo-reset
demo-reset: .venv/demo.txt ## Remet la démonstration à neuf
	@$(DEMO) $(PYTHON) manage.py migrate --verbosity 0
	@$(DEMO) $(PYTHON) manage.py demo --reset
	@echo "La démonstration est remise à neuf : « make demo » pour ouvrir le site."

.PHONY: port-free
port-free:
	@if (exec 3<>/dev/tcp/127.0.0.1/$(PORT)) 2>/dev/null; then \
		echo "Le port $(PORT) est déjà pris par un autre programme : essayez « make demo PORT=8123 »." >&2; \
		exit 1; \
	fi

# --- Les vérifications ------------------------------------------------------------------------

.PHONY: check
check: .venv/dev.txt ## Vérifie la forme du code, les imports, les migrations et les réglages de production
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m djlint templates --check --lint
	.venv/bin/lint-imports
	@echo "manage.py makemigrations --check --dry-run"
	@$(ALONE) SECRET_KEY=check DATABASE_URL=sqlite://:memory: $(PYTHON) manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy --fail-level WARNING (réglages de production)"
	@$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

.PHONY: test
test: .venv/dev.txt ## Joue les tests sur SQLite : Python suffit
	$(ALONE) $(PYTEST)

.PHONY: test-postgres
test-postgres: .venv/dev.txt ## Joue les tests sur PostgreSQL (TEST_DATABASE_URL), courses comprises
	@$(PYTHON) -c 'import sys, psycopg2; psycopg2.connect(sys.argv[1])' "$(TEST_DATABASE_URL)" || { \
		echo "Aucun PostgreSQL ne répond à $(TEST_DATABASE_URL) : démarrez-le, ou donnez TEST_DATABASE_URL=postgres://…" >&2; \
		exit 1; \
	}
	$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTEST)

.PHONY: test-browser
test-browser: .venv/dev.txt ## Joue les parcours dans Chromium (CHROMIUM, sinon /usr/bin/chromium)
	@test -x "$(CHROMIUM)" || { \
		echo "Chromium est introuvable ($(CHROMIUM)) : installez le paquet Debian chromium (apt-get install chromium), ou donnez CHROMIUM=…" >&2; \
		exit 1; \
	}
	@mkdir -p var
	$(ALONE) CHROMIUM="$(CHROMIUM)" DATABASE_URL=sqlite:///$(CURDIR)/var/test-browser.sqlite3 $(PYTEST) -m browser

.PHONY: bench
bench: .venv/dev.txt ## Mesure les pages, les choix, la soirée d'ouverture et les envois sur PostgreSQL (QUICK=1 : plus court, ONLY=pages)
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.speed $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-calls
bench-calls: .venv/dev.txt ## Compte les appels de fonctions et les requêtes de chaque page, sans chronomètre
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.calls

.PHONY: bench-sign-in
bench-sign-in: .venv/dev.txt ## Mesure les connexions refusées : rien ne doit dire pourquoi elles le sont
	$(ALONE) $(PYTHON) -m bench.sign_in

.PHONY: bench-pricing
bench-pricing: .venv/dev.txt ## Mesure le calcul des tarifs : 20 000 foyers, par chacune des quatre grilles
	$(ALONE) $(PYTHON) -m bench.pricing

.PHONY: bench-runs
bench-runs: .venv/dev.txt ## Émet les factures de 20 000 foyers, expéditeurs tués et relancés (HOUSEHOLDS=2000, QUICK=1 : moins)
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.runs --households $(HOUSEHOLDS) $(if $(QUICK),--quick)

.PHONY: bench-messages
bench-messages: .venv/dev.txt ## Écrit un message à 20 000 foyers, sur PostgreSQL (HOUSEHOLDS=2000 : moins)
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.messages --households $(HOUSEHOLDS)

HOUSEHOLDS ?= 20000

.PHONY: bench-register
bench-register: .venv/dev.txt ## Fait l'appel de 1 000 classes en une soirée, sur PostgreSQL (CLASSES=100 : moins)
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.register $(if $(CLASSES),--classes $(CLASSES))

.PHONY: drill
drill: .venv/dev.txt ## Lance 5 000 messages : serveur qui refuse, expéditeurs tués (MAILS=200 : moins)
	$(ALONE) $(PYTHON) -m bench.launch --mails $(MAILS)

.PHONY: drill-postgres
drill-postgres: .venv/dev.txt ## La même épreuve sur PostgreSQL (TEST_DATABASE_URL)
	@$(ALONE) DATABASE_URL="$(TEST_DATABASE_URL)" $(PYTHON) -m bench.launch --mails $(MAILS)

MAILS ?= 5000

# --- L'installation ---------------------------------------------------------------------------

.PHONY: lock
lock: .venv-lock/bin/uv ## Verrouille les versions d'après pyproject.toml (UPGRADE=--upgrade : les plus récentes)
	$(COMPILE) --output-file requirements/demo.txt
	$(COMPILE) --output-file requirements/production.txt --extra production --constraints requirements/demo.txt
	$(COMPILE) --output-file requirements/dev.txt --extra production --extra dev --constraints requirements/production.txt

UPGRADE ?=
COMPILE = .venv-lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--no-emit-index-url --generate-hashes --custom-compile-command "make lock" $(UPGRADE)

.PHONY: clean
clean: ## Retire l'environnement Python (les données de var/ restent)
	rm -rf .venv .venv-lock staticfiles

# Each list of packages leaves its copy in .venv once it is installed whole.
.venv/demo.txt .venv/dev.txt: .venv/%.txt: requirements/%.txt | .venv/bin/pip
	@printf '%s' "$(STEP)Installation des paquets (une minute environ) :"
	@set -o pipefail; $(PYTHON) -m pip install --disable-pip-version-check --require-hashes -r $< \
	| while read -r verb package _; do [ "$$verb" != Collecting ] || printf ' %s' "$${package%%=*}"; done \
	|| { echo; echo "L'installation n'a pas abouti : vérifiez l'accès à Internet et relancez la même commande." >&2; exit 1; }
	@echo
	@cp $< $@

# pip comes last in a new environment: without it, the environment is not whole.
.venv/bin/pip .venv-lock/bin/pip: %/bin/pip:
	@for python in python3.13 python3.12 python3.11 python3 ""; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Il faut Python 3.11 ou plus récent (sur Debian 12 : apt-get install python3 python3-venv)." >&2; \
		exit 1; \
	fi; \
	$$python -m venv --clear $* || { \
		echo "L'environnement Python ne se crée pas (sur Debian : apt-get install python3-venv)." >&2; \
		exit 1; \
	}

.venv-lock/bin/uv: | .venv-lock/bin/pip
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
