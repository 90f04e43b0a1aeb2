# The demo in one image: docker build -t mmdemo . && docker run -p 7860:7860 mmdemo
# The wheels of torch from PyPI carry CUDA for NVIDIA cards; --build-arg TORCH_INDEX= takes them, the default takes the
# CPU's, a tenth of the size.
FROM python:3.11-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 mmdemo
WORKDIR /home/mmdemo/app

# What it runs on first: it changes seldom, and its layer is kept.
COPY requirements.txt ./
RUN pip install ${TORCH_INDEX:+--extra-index-url $TORCH_INDEX} -r requirements.txt

COPY app.py ./
COPY mmdemo ./mmdemo
COPY assets ./assets
COPY index/default ./index/default

USER 1000
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/gradio_api/startup-events', timeout=4)"]

# Strangers may come: their calls are counted. Other indexes: -v /srv/my-shop:/index and --index /index at the end.
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0", "--port", "7860", "--public"]
