//! An answer's body on its way to the component, with the connection's secrets taken out of it. It holds on to what its
//! request took (`flight`) until it is read or dropped.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::Error;

use crate::secret::{Held, Scrubber};

/// See the module.
pub(super) struct Scrubbed<B, L> {
    inner: B,
    held: Held,
    scrubber: Scrubber,
    /// What comes after what was held.
    trailers: Option<HeaderMap>,
    ended: bool,
    load: Option<L>,
}

impl<B, L> Scrubbed<B, L> {
    pub(super) fn new(inner: B, scrubber: Scrubber, load: L) -> Self {
        let held = Held::new(scrubber.clone());
        Self { inner, held, scrubber, trailers: None, ended: false, load: Some(load) }
    }
}

impl<B, L> Body for Scrubbed<B, L>
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
    L: Unpin,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        loop {
            if this.ended {
                this.load = None;
                return Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
            }
            let Some(frame) = ready!(Pin::new(&mut this.inner).poll_frame(context)) else {
                this.ended = true;
                let rest = this.held.rest();
                if rest.is_empty() {
                    continue;
                }
                return Poll::Ready(Some(Ok(Frame::data(rest))));
            };
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            };
            match frame.into_data() {
                Ok(data) => {
                    let last = this.inner.is_end_stream();
                    let passed = this.held.pass(data, last);
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(passed))));
                    }
                }
                Err(frame) => {
                    let Ok(mut trailers) = frame.into_trailers() else { continue };
                    scrub_headers(&this.scrubber, &mut trailers);
                    this.trailers = Some(trailers);
                    this.ended = true;
                    let rest = this.held.rest();
                    if !rest.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(rest))));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.len() == 0 && self.trailers.is_none() && (self.ended || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, held) = (self.inner.size_hint(), self.held.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

/// Takes secrets out of the values; a header that has one in its name goes.
pub(super) fn scrub_headers(scrubber: &Scrubber, headers: &mut HeaderMap) {
    if scrubber.is_empty() {
        return;
    }
    let mut named: Vec<HeaderName> = Vec::new();
    for (name, value) in headers.iter_mut() {
        if scrubber.finds_in_any_case(name.as_str()) {
            named.push(name.clone());
        }
        if scrubber.finds(value.as_bytes()) {
            let mut bytes = value.as_bytes().to_vec();
            scrubber.overwrite(&mut bytes);
            *value = HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static(""));
        }
    }
    named.iter().for_each(|name| drop(headers.remove(name)));
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::secret::Secret;

    fn scrubber() -> Scrubber {
        Scrubber::new([(Secret::new("sk_test_Real".to_owned()), "sk_test_xxxx".to_owned())])
    }

    type Frames = std::vec::IntoIter<Result<Frame<Bytes>, Error>>;

    /// A body of these frames.
    struct Given(Frames);

    impl Body for Given {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            Poll::Ready(self.0.next())
        }
    }

    fn body(frames: Vec<Result<Frame<Bytes>, Error>>) -> Scrubbed<Given, ()> {
        Scrubbed::new(Given(frames.into_iter()), scrubber(), ())
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, Error> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    #[tokio::test]
    async fn a_secret_that_is_cut_across_frames_is_taken_out() {
        let whole = body(vec![data("a sk_te"), data("st_"), data("Re"), data("al b sk_test_Re")]);
        assert_eq!(whole.collect().await.unwrap().to_bytes(), "a sk_test_xxxx b sk_test_Re");
    }

    #[tokio::test]
    async fn trailers_come_last_and_without_secrets() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-echo", HeaderValue::from_static("Bearer sk_test_Real"));
        let whole = body(vec![data("a sk_te"), Ok(Frame::trailers(trailers))]).collect().await.unwrap();
        assert_eq!(whole.trailers().unwrap()["x-echo"], "Bearer sk_test_xxxx");
        assert_eq!(whole.to_bytes(), "a sk_te");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_is_not_completed() {
        let mut broken = body(vec![data("a sk_te"), Err(Error::ConnectionTerminated)]);
        assert_eq!(broken.frame().await.unwrap().unwrap().into_data().unwrap(), "a ");
        assert!(broken.frame().await.unwrap().is_err());
        assert!(broken.frame().await.is_none());
    }

    #[test]
    fn headers_lose_secrets_in_values_and_names() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("Bearer sk_test_Real"));
        headers.insert("x-sk_test_real", HeaderValue::from_static("1"));
        headers.insert("request-id", HeaderValue::from_static("req_1"));
        scrub_headers(&scrubber(), &mut headers);
        assert_eq!(headers["x-echo"], "Bearer sk_test_xxxx");
        assert_eq!(headers["request-id"], "req_1");
        assert_eq!(headers.len(), 2);
    }
}
